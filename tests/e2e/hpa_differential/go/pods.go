package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

var podLabels = map[string]string{"app": "one"}

// pods makes the pods of a case, which are named by their places.
func pods(given []Pod) []*v1.Pod {
	var made []*v1.Pod
	for index, one := range given {
		pod := &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: strconv.Itoa(index), Labels: podLabels},
			Spec:       v1.PodSpec{Containers: []v1.Container{{Name: "container", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{}}}}},
			Status:     v1.PodStatus{Phase: v1.PodPhase(one.Phase)},
		}
		if one.Deleted {
			pod.DeletionTimestamp = &metav1.Time{Time: time.Now()}
		}
		if one.Start != nil {
			pod.Status.StartTime = &metav1.Time{Time: ago(*one.Start)}
		}
		if one.Ready != nil {
			condition := v1.PodCondition{Type: v1.PodReady, Status: v1.ConditionFalse}
			if *one.Ready {
				condition.Status = v1.ConditionTrue
			}
			if one.Transition != nil {
				condition.LastTransitionTime = metav1.Time{Time: ago(*one.Transition)}
			}
			pod.Status.Conditions = []v1.PodCondition{condition}
		}
		made = append(made, pod)
	}
	return made
}

// request writes what a case's pods request of a resource into them.
func request(made []*v1.Pod, given []Pod, name string) {
	for index, one := range given {
		spec := &made[index].Spec
		if one.Request != nil {
			spec.Containers[0].Resources.Requests[v1.ResourceName(name)] = *resource.NewMilliQuantity(*one.Request, resource.DecimalSI)
		}
		if one.PodRequest != nil {
			if spec.Resources == nil {
				spec.Resources = &v1.ResourceRequirements{Requests: v1.ResourceList{}}
			}
			spec.Resources.Requests[v1.ResourceName(name)] = *resource.NewMilliQuantity(*one.PodRequest, resource.DecimalSI)
		}
	}
}

func samples(given []Pod, unknown []int64) metricsclient.PodMetricsInfo {
	info := metricsclient.PodMetricsInfo{}
	for index, one := range given {
		if one.Metric != nil {
			info[strconv.Itoa(index)] = metricsclient.PodMetric{Value: *one.Metric, Timestamp: ago(one.MetricAge), Window: seconds(one.MetricWindow)}
		}
	}
	for index, value := range unknown {
		info[fmt.Sprintf("unknown-%d", index)] = metricsclient.PodMetric{Value: value}
	}
	return info
}

// lister gives the same pods for every selector.
type lister struct {
	corelisters.PodListerExpansion
	corelisters.PodNamespaceListerExpansion
	pods []*v1.Pod
}

func (l lister) List(labels.Selector) ([]*v1.Pod, error)    { return l.pods, nil }
func (l lister) Pods(string) corelisters.PodNamespaceLister { return l }
func (l lister) Get(string) (*v1.Pod, error)                { return nil, errors.New("not used") }

// readings is a MetricsClient: what each metric reads, by name (of resources: resource/container).
type readings struct {
	samples map[string]metricsclient.PodMetricsInfo
	values  map[string][]int64
}

var errNothing = errors.New("no metrics returned")

func (r readings) GetResourceMetric(_ context.Context, name v1.ResourceName, _ string, _ labels.Selector, container string) (metricsclient.PodMetricsInfo, time.Time, error) {
	return r.ofPods(string(name) + "/" + container)
}

func (r readings) GetRawMetric(name string, _ string, _ labels.Selector, _ labels.Selector) (metricsclient.PodMetricsInfo, time.Time, error) {
	return r.ofPods(name)
}

func (r readings) ofPods(name string) (metricsclient.PodMetricsInfo, time.Time, error) {
	if len(r.samples[name]) == 0 {
		return nil, time.Time{}, errNothing
	}
	return r.samples[name], time.Now(), nil
}

func (r readings) GetObjectMetric(name string, _ string, _ *autoscaling.CrossVersionObjectReference, _ labels.Selector) (int64, time.Time, error) {
	if len(r.values[name]) == 0 {
		return 0, time.Time{}, errNothing
	}
	return r.values[name][0], time.Now(), nil
}

func (r readings) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	if len(r.values[name]) == 0 {
		return nil, time.Time{}, errNothing
	}
	return r.values[name], time.Now(), nil
}
